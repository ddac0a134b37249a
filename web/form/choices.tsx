// Choosing lists, tags and contacts, wherever a form asks for them.
import {
  Autocomplete,
  ColorInput,
  type ComboboxProps,
  Group,
  MultiSelect,
  Select,
  TagsInput,
  Text,
} from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { allListsQuery, allTagsQuery, contactSearchQuery } from '../api/contacts.ts'
import { Swatch } from '../ui/swatch.tsx'

type Many = {
  label: string
  description?: string
  value: string[]
  onChange: (value: string[]) => void
  placeholder?: string
  comboboxProps?: ComboboxProps
}

/** Free tags with those in use as suggestions. */
export function TagsChoice(props: Many) {
  const tags = useQuery(allTagsQuery)
  return <TagsInput {...props} data={tags.data?.map((tag) => tag.name) ?? []} clearable splitChars={[',', ';']} />
}

/** One tag, known or new. */
export function TagChoice(props: { label: string; value: string; onChange: (value: string) => void }) {
  const tags = useQuery(allTagsQuery)
  return <Autocomplete {...props} data={tags.data?.map((tag) => tag.name) ?? []} data-autofocus />
}

/** Only tags that exist: for filters and audiences. */
export function KnownTagsChoice(props: Many) {
  const { t } = useTranslation()
  const tags = useQuery(allTagsQuery)
  return (
    <MultiSelect
      {...props}
      data={tags.data?.map((tag) => tag.name) ?? []}
      searchable
      clearable
      nothingFoundMessage={t('form.nothing_found')}
    />
  )
}

export function ListsChoice(props: Many) {
  const { t } = useTranslation()
  const lists = useQuery(allListsQuery)
  return (
    <MultiSelect
      {...props}
      data={lists.data?.map((list) => ({ value: list.id, label: list.name })) ?? []}
      renderOption={({ option }) => (
        <Group gap={8}>
          <Swatch color={lists.data?.find((list) => list.id === option.value)?.color} />
          {option.label}
        </Group>
      )}
      searchable
      clearable
      nothingFoundMessage={t('form.nothing_found')}
    />
  )
}

type One = {
  label: string
  description?: string
  value: string | null
  onChange: (value: string | null) => void
  placeholder?: string
  comboboxProps?: ComboboxProps
}

export function ListChoice(props: One) {
  const lists = useQuery(allListsQuery)
  return (
    <Select
      {...props}
      data={lists.data?.map((list) => ({ value: list.id, label: list.name })) ?? []}
      searchable
      clearable
    />
  )
}

/** Searches all contacts on the server, so that it works with a million of them. */
export function ContactChoice(props: One) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 250)
  const found = useQuery(contactSearchQuery(search))
  return (
    <Select
      {...props}
      searchable
      clearable
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options}
      nothingFoundMessage={found.isPending ? t('common.loading') : t('form.nothing_found')}
      data={found.data?.data.map((contact) => ({ value: contact.id, label: contact.full_name || contact.email })) ?? []}
      renderOption={({ option }) => (
        <div>
          <Text fz="sm">{option.label}</Text>
          <Text fz="xs" c="dimmed">
            {found.data?.data.find((contact) => contact.id === option.value)?.email}
          </Text>
        </div>
      )}
    />
  )
}

export const palette = ['#1d5f58', '#2f6db3', '#6a4fb0', '#a8407f', '#b5482f', '#a8690f', '#5d7a1f', '#566070']

export function ColorChoice({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation()
  return (
    <ColorInput
      label={t('form.color')}
      value={value}
      onChange={onChange}
      swatches={palette}
      format="hex"
      eyeDropperButtonProps={{ 'aria-label': t('form.pick_color') }}
    />
  )
}
