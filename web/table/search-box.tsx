import { CloseButton, Loader, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

type SearchBoxProps = {
  label: string
  value: string
  onChange: (value: string) => void
  busy?: boolean
  placeholder?: string
}

/** Searches as one types; a pause of 250 ms asks the server. */
export function SearchBox({ label, value, onChange, busy = false, placeholder }: SearchBoxProps) {
  const { t } = useTranslation()
  const [text, setText] = useState(value)
  // Only a value that did not come from here replaces what is being typed.
  const announced = useRef(value)
  const announce = useDebouncedCallback((next: string) => {
    announced.current = next
    onChange(next)
  }, 250)
  useEffect(() => {
    if (value !== announced.current) setText(value)
    announced.current = value
  }, [value])
  const change = (next: string) => {
    setText(next)
    announce(next)
  }
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      leftSection={<Search size={16} aria-hidden />}
      rightSection={
        busy ? (
          <Loader size={14} />
        ) : text ? (
          <CloseButton size="sm" aria-label={t('table.clear_search')} onClick={() => change('')} />
        ) : null
      }
      className="search-box"
      data-search
    />
  )
}
