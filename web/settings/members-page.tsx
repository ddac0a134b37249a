import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'
import { useSession } from '../api/session.ts'
import type { Member, Role } from '../api/types.ts'
import {
  changeMember,
  invitationsQuery,
  invite,
  membersQuery,
  removeMember,
  resendInvitation,
  withdrawInvitation,
} from '../api/workspace.ts'
import { needsEmail } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'

const staffRoles: Role[] = ['owner', 'admin', 'marketer', 'agent', 'viewer']

export function MembersPage() {
  const { t } = useTranslation()
  return (
    <Page title={t('settings.members')} width="reading">
      <Stack gap="lg">
        <InviteCard />
        <MembersCard />
        <InvitationsCard />
      </Stack>
    </Page>
  )
}

function useRoles(): { value: string; label: string }[] {
  const { t } = useTranslation()
  return staffRoles.map((role) => ({ value: role, label: t(`role.${role}`) }))
}

function InviteCard() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const roles = useRoles().filter(({ value }) => value !== 'owner')
  const form = useForm({
    mode: 'controlled',
    initialValues: { email: '', role: 'marketer' },
    validate: { email: needsEmail(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: invite,
    done: async (_made, { email }) => {
      form.reset()
      toastDone(t('members.invited', { email }))
      await queries.invalidateQueries({ queryKey: ['invitations'] })
    },
  })
  return (
    <Card title={t('members.invite')}>
      <form onSubmit={submit} noValidate>
        <ProblemAlert error={error} />
        <Group align="flex-start">
          <TextInput
            label={t('form.email_label')}
            type="email"
            required
            flex={1}
            miw={220}
            {...form.getInputProps('email')}
          />
          <Select
            label={t('members.role')}
            data={roles}
            allowDeselect={false}
            w={170}
            {...form.getInputProps('role')}
          />
          <Button type="submit" mt={25} loading={isSending}>
            {t('members.send')}
          </Button>
        </Group>
        <Text fz="sm" c="dimmed" mt="sm">
          {t(`role_text.${form.values.role as 'admin'}`)}
        </Text>
      </form>
    </Card>
  )
}

function MembersCard() {
  const { t } = useTranslation()
  const members = useQuery(membersQuery)
  return (
    <Card title={t('members.title')}>
      {members.error ? (
        <Failed error={members.error} retry={() => void members.refetch()} />
      ) : (
        <Waiting for={members.data} lines={3}>
          <ul className="rows">
            {members.data?.map((member) => (
              <MemberRow key={member.user_id} member={member} />
            ))}
          </ul>
        </Waiting>
      )}
    </Card>
  )
}

function MemberRow({ member }: { member: Member }) {
  const { t } = useTranslation()
  const { user, role: ownRole } = useSession()
  const queries = useQueryClient()
  const roles = useRoles()
  const refresh = () => queries.invalidateQueries({ queryKey: ['members'] })
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const change = useMutation({
    mutationFn: (role: Role) => changeMember(member.user_id, role),
    onSuccess: refresh,
    onError: complain,
  })
  const drop = useMutation({ mutationFn: () => removeMember(member.user_id), onSuccess: refresh, onError: complain })
  const isSelf = member.user_id === user.id
  // An admin cannot make or unmake owners; the server says the same.
  const isLocked = isSelf || (member.role === 'owner' && ownRole !== 'owner')
  const ask = () =>
    confirm({
      title: t('members.remove_title', { name: member.full_name }),
      body: t('members.remove_text'),
      confirm: t('members.remove'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => drop.mutate(),
    })
  return (
    <li>
      <div>
        <Text fz="sm" fw={600}>
          {member.full_name} {isSelf && <span className="none">({t('members.you')})</span>}
        </Text>
        <Text fz="xs" c="dimmed">
          {member.email}
        </Text>
      </div>
      <Group gap="xs">
        <Select
          aria-label={t('members.role_of', { name: member.full_name })}
          size="xs"
          w={140}
          disabled={isLocked || change.isPending}
          allowDeselect={false}
          data={roles}
          value={member.role}
          onChange={(role) => role && change.mutate(role as Role)}
        />
        {!isLocked && (
          <Button
            size="xs"
            variant="default"
            loading={drop.isPending}
            onClick={ask}
            aria-label={t('members.remove_title', { name: member.full_name })}
          >
            {t('members.remove')}
          </Button>
        )}
      </Group>
    </li>
  )
}

function InvitationsCard() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const invitations = useQuery(invitationsQuery)
  const refresh = () => queries.invalidateQueries({ queryKey: ['invitations'] })
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const withdraw = useMutation({ mutationFn: withdrawInvitation, onSuccess: refresh, onError: complain })
  const resend = useMutation({
    mutationFn: resendInvitation,
    onSuccess: () => toastDone(t('members.resent')),
    onError: complain,
  })
  if (!invitations.data || invitations.data.length === 0) return null
  return (
    <Card title={t('members.invitations')}>
      <ul className="rows">
        {invitations.data.map((invitation) => (
          <li key={invitation.id}>
            <div>
              <Text fz="sm" fw={600}>
                {invitation.email}
              </Text>
              <Text fz="xs" c="dimmed">
                {t(`role.${invitation.role}`)} · {t('members.expires')} <Moment at={invitation.expires_at} />
              </Text>
            </div>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => resend.mutate(invitation.id)}>
                {t('members.resend')}
              </Button>
              <Button size="xs" variant="default" onClick={() => withdraw.mutate(invitation.id)}>
                {t('members.withdraw')}
              </Button>
            </Group>
          </li>
        ))}
      </ul>
    </Card>
  )
}
