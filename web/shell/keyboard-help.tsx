import { Kbd, Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { places } from './navigation.ts'

export function KeyboardHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const general: [string[], string][] = [
    [['Ctrl', 'K'], t('keys.palette')],
    [['/'], t('keys.search')],
    [['C'], t('keys.new_contact')],
    [['?'], t('keys.help')],
    [['Esc'], t('keys.close')],
  ]
  const going = places.map(({ id, key }): [string[], string] => [['G', key.toUpperCase()], t(`nav.${id}`)])
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('keys.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <dl className="keys">
        {[...general, ...going].map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>{meaning}</dt>
            <dd>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
