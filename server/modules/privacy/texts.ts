/** The page beside a copy of somebody's data, in the languages that Rapport speaks to people. */
import type { Language } from '#modules/contacts/index.ts'

interface Told {
  workspace: string
  at: Date
  files: number
}

const pages: Record<Language, (told: Told & { day: string }) => string> = {
  en: ({ workspace, day, files }) => `Your personal data
==================

This archive holds everything that ${workspace} keeps about you, as of ${day}.

data.json   All records, as JSON that other programs can read. "sections" has one
            part for each area; in it, each table has its list of records. Times
            are in UTC.
${files ? 'files/      Pictures and other files that are yours.\n' : ''}
You may have what is wrong corrected, and what is no longer needed erased. Write to
${workspace}, from whom you have this archive.
`,
  fr: ({ workspace, day, files }) => `Vos données personnelles
========================

Cette archive contient tout ce que ${workspace} conserve à votre sujet, au ${day}.

data.json   Tous les enregistrements, en JSON lisible par d'autres programmes.
            « sections » a une partie par domaine ; chaque table y a sa liste.
            Les heures sont en UTC.
${files ? 'files/      Vos photos et autres fichiers.\n' : ''}
Vous pouvez faire corriger ce qui est inexact et effacer ce qui n'est plus nécessaire.
Écrivez à ${workspace}, qui vous a remis cette archive.
`,
  ro: ({ workspace, day, files }) => `Datele dumneavoastră personale
==============================

Această arhivă conține tot ce păstrează ${workspace} despre dumneavoastră, la ${day}.

data.json   Toate înregistrările, în JSON, pe care alte programe îl pot citi.
            „sections” are câte o parte pentru fiecare domeniu; în ea, fiecare
            tabel își are lista. Orele sunt în UTC.
${files ? 'files/      Fotografii și alte fișiere ale dumneavoastră.\n' : ''}
Puteți cere corectarea datelor greșite și ștergerea celor care nu mai sunt necesare.
Scrieți către ${workspace}, de la care aveți această arhivă.
`,
}

export function readme(language: Language, told: Told): string {
  const day = told.at.toLocaleDateString(language, { dateStyle: 'long', timeZone: 'UTC' })
  return pages[language]({ ...told, day })
}
