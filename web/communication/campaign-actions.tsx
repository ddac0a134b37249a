import { ActionIcon, Button, Menu } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Copy, Ellipsis, Pause, Pencil, Play, Send, Square, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { type CampaignMove, deleteCampaign, moveCampaign, restoreCampaign, sendToRest } from '../api/communication.ts'
import { explain } from '../api/explain.ts'
import { useAbilities } from '../api/session.ts'
import type { Campaign, CampaignStatus, Kept } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { confirm } from '../ui/confirm.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'

const allowed: Record<'pause' | 'resume' | 'cancel' | 'send-to-rest' | 'delete' | 'edit', CampaignStatus[]> = {
  edit: ['draft', 'scheduled'],
  pause: ['active', 'scheduled'],
  resume: ['paused'],
  cancel: ['scheduled', 'active', 'paused'],
  'send-to-rest': ['completed', 'canceled'],
  delete: ['draft', 'scheduled', 'canceled', 'completed'],
}

export function CampaignActions({ campaign }: { campaign: Kept<Campaign> }) {
  const { t } = useTranslation()
  const { campaigns: may } = useAbilities()
  const { move, sendRest, drop, isMoving } = useMoves(campaign)
  if (!may) return null
  const can = (action: keyof typeof allowed) =>
    campaign.can?.[action.replaceAll('-', '_')] ?? allowed[action].includes(campaign.status)
  const rest = (campaign.counts?.failed ?? 0) + (campaign.counts?.skipped ?? 0) + (campaign.counts?.queued ?? 0)
  return (
    <>
      {can('edit') && (
        <Button
          component="a"
          href={paths.editCampaign(campaign.id)}
          variant="default"
          leftSection={<Pencil size={16} aria-hidden />}
        >
          {t('common.edit')}
        </Button>
      )}
      {can('pause') && (
        <Button
          variant="default"
          leftSection={<Pause size={16} aria-hidden />}
          loading={isMoving}
          onClick={() => move('pause')}
        >
          {t('campaign.pause')}
        </Button>
      )}
      {can('resume') && (
        <Button leftSection={<Play size={16} aria-hidden />} loading={isMoving} onClick={() => move('resume')}>
          {t('campaign.resume')}
        </Button>
      )}
      {can('send-to-rest') && rest > 0 && (
        <Button
          leftSection={<Send size={16} aria-hidden />}
          loading={isMoving}
          onClick={() =>
            confirm({
              title: t('campaign.rest_title'),
              body: t('campaign.rest_text'),
              confirm: t('campaign.rest'),
              cancel: t('common.cancel'),
              run: sendRest,
            })
          }
        >
          {t('campaign.rest')}
        </Button>
      )}
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t('campaign.more')}>
            <Ellipsis size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Copy size={16} aria-hidden />} onClick={() => move('duplicate')}>
            {t('campaign.duplicate')}
          </Menu.Item>
          {can('cancel') && (
            <Menu.Item
              color="red"
              leftSection={<Square size={16} aria-hidden />}
              onClick={() =>
                confirm({
                  title: t('campaign.cancel_title'),
                  body: t('campaign.cancel_text'),
                  confirm: t('campaign.cancel'),
                  cancel: t('common.back'),
                  danger: true,
                  run: () => move('cancel'),
                })
              }
            >
              {t('campaign.cancel')}
            </Menu.Item>
          )}
          {can('delete') && (
            <Menu.Item color="red" leftSection={<Trash2 size={16} aria-hidden />} onClick={drop}>
              {t('common.delete')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

const doneTexts = {
  pause: 'campaign.paused',
  resume: 'campaign.resumed',
  cancel: 'campaign.canceled',
  duplicate: 'campaign.duplicated',
} as const

function useMoves(campaign: Kept<Campaign>) {
  const { t } = useTranslation()
  const follow = useFollow()
  const queries = useQueryClient()
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const refresh = () => queries.invalidateQueries({ queryKey: ['campaigns'] })
  const moving = useMutation({
    mutationFn: (action: Exclude<CampaignMove, 'launch'>) => moveCampaign(campaign, action),
    onSuccess: async (result, action) => {
      await refresh()
      toastDone(t(doneTexts[action]))
      if (action === 'duplicate') follow(paths.editCampaign(result.id))
    },
    onError: complain,
  })
  const dropping = useMutation({
    mutationFn: () => deleteCampaign(campaign),
    onSuccess: async () => {
      follow(paths.campaigns())
      const undo = () => void restoreCampaign(campaign.id).then(refresh, complain)
      toastDone(t('campaign.deleted', { name: campaign.name }), { label: t('common.undo'), run: undo })
      await refresh()
    },
    onError: complain,
  })
  const resending = useMutation({
    mutationFn: () => sendToRest(campaign),
    onSuccess: async () => {
      await refresh()
      toastDone(t('campaign.rest_started'))
    },
    onError: complain,
  })
  return {
    sendRest: () => resending.mutate(),
    move: moving.mutate,
    drop: () => dropping.mutate(),
    isMoving: moving.isPending,
  }
}
