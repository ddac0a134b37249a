import { Button, Menu, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Building2, Check, ChevronsUpDown } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'
import { switchWorkspace, useSession } from '../api/session.ts'
import { paths } from '../paths.ts'
import { toastProblem } from '../ui/toasts.tsx'

/** Another workspace is another world: switching loads the page afresh, so that nothing of the old one lingers. */
export function WorkspaceMenu() {
  const { t } = useTranslation()
  const { workspace, workspaces } = useSession()
  const change = useMutation({
    mutationFn: switchWorkspace,
    onSuccess: () => window.location.assign(paths.dashboard()),
    onError: (error) => toastProblem(explain(error, t)),
  })
  if (workspaces.length < 2) {
    return (
      <div className="workspace">
        <Building2 size={16} aria-hidden />
        <span>{workspace.name}</span>
      </div>
    )
  }
  return (
    <Menu width={240} position="bottom-start">
      <Menu.Target>
        <Button
          variant="default"
          fullWidth
          justify="space-between"
          leftSection={<Building2 size={16} aria-hidden />}
          rightSection={<ChevronsUpDown size={14} aria-hidden />}
          loading={change.isPending}
          aria-label={t('shell.switch_workspace', { name: workspace.name })}
        >
          {workspace.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {workspaces.map(({ id, name, role }) => (
          <Menu.Item
            key={id}
            onClick={() => id !== workspace.id && change.mutate(id)}
            rightSection={id === workspace.id ? <Check size={16} aria-label={t('shell.current')} /> : null}
          >
            {name}
            <Text fz="xs" c="dimmed">
              {t(`role.${role}`)}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
