// The web application is built into web/dist, which the server hands out under a strict content security policy:
// no inline script, hence no module-preload polyfill and a small external script for the colour scheme.
import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const api = 'http://127.0.0.1:3000'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, modulePreload: { polyfill: false }, target: 'es2022' },
  // Patterns rather than prefixes: a plain '/t' would swallow /templates too.
  server: { proxy: { '^/(api|t|u|p)/': api, '^/health$': api } },
})
