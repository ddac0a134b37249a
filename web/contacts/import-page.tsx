// The import in four steps, then its progress. Once it runs, its id is in the address: a reload, or another day, finds it.
import { Button, Stepper } from '@mantine/core'
import { History } from 'lucide-react'
import { useReducer } from 'react'
import { useTranslation } from 'react-i18next'
import type { ImportPreview } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useUrlState } from '../table/use-url-state.ts'
import { Page } from '../ui/page.tsx'
import { ImportCheck } from './import-check.tsx'
import { type Mapping, suggestedMapping } from './import-fields.ts'
import { ImportMapping } from './import-mapping.tsx'
import { ImportOptions, type Options } from './import-options.tsx'
import { ImportProgress } from './import-progress.tsx'
import { ImportUpload } from './import-upload.tsx'

type Wizard = { step: number; file: File | null; preview: ImportPreview | null; mapping: Mapping; options: Options }

const start: Wizard = {
  step: 0,
  file: null,
  preview: null,
  mapping: {},
  options: {
    duplicates: 'skip',
    listId: null,
    tags: [],
    newsletter: false,
    marketing: false,
    consentSource: '',
    consentWording: '',
  },
}

export function ImportPage() {
  const { t } = useTranslation()
  const [search, change] = useUrlState()
  return (
    <Page
      title={t('import.title')}
      back={{ href: paths.contacts(), label: t('nav.contacts') }}
      width="reading"
      actions={
        <Button component="a" href={paths.imports()} variant="default" leftSection={<History size={16} aria-hidden />}>
          {t('import.history')}
        </Button>
      }
    >
      {search.import ? (
        <ImportProgress id={search.import} again={() => change({ import: undefined }, 'push')} />
      ) : (
        <ImportWizard run={(id) => change({ import: id }, 'push')} />
      )}
    </Page>
  )
}

function ImportWizard({ run }: { run: (importId: string) => void }) {
  const { t } = useTranslation()
  const [wizard, update] = useReducer((state: Wizard, part: Partial<Wizard>) => ({ ...state, ...part }), start)
  const { step, file, preview, mapping, options } = wizard
  const read = (nextFile: File, nextPreview: ImportPreview, nextStep: number) =>
    update({ file: nextFile, preview: nextPreview, mapping: suggestedMapping(nextPreview), step: nextStep })
  return (
    <>
      <Stepper
        active={step}
        onStepClick={(target) => target < step && update({ step: target })}
        size="sm"
        mb="lg"
        className="stepper"
        allowNextStepsSelect={false}
      >
        <Stepper.Step label={t('import.step_file')} />
        <Stepper.Step label={t('import.step_columns')} />
        <Stepper.Step label={t('import.step_options')} />
        <Stepper.Step label={t('import.step_check')} />
      </Stepper>
      {step === 0 && <ImportUpload done={(chosen, read0) => read(chosen, read0, 1)} />}
      {step === 1 && file && preview && (
        <ImportMapping
          file={file}
          preview={preview}
          mapping={mapping}
          reread={(again) => read(file, again, 1)}
          change={(next) => update({ mapping: next })}
          back={() => update({ step: 0 })}
          next={() => update({ step: 2 })}
        />
      )}
      {step === 2 && (
        <ImportOptions
          options={options}
          change={(next) => update({ options: next })}
          back={() => update({ step: 1 })}
          next={() => update({ step: 3 })}
        />
      )}
      {step === 3 && preview && (
        <ImportCheck preview={preview} mapping={mapping} options={options} back={() => update({ step: 2 })} run={run} />
      )}
    </>
  )
}
