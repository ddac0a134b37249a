// The look of Rapport: a pine green for what can be acted on, warm greys for everything else. Shades are chosen so that
// text on every surface keeps a contrast of 4.5:1 in both schemes; axe checks it in web/e2e.
import { Badge, Button, Checkbox, createTheme, type CSSVariablesResolver, Modal, Radio, Tooltip } from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 8, dark: 4 },
  autoContrast: true,
  luminanceThreshold: 0.28,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily:
    'Inter, "Segoe UI Variable Text", "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '0.78rem', sm: '0.875rem', md: '0.9375rem', lg: '1.0625rem', xl: '1.25rem' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  colors: {
    pine: [
      '#eef7f5',
      '#dcece9',
      '#b7d9d3',
      '#8fc4bb',
      '#6cb2a6',
      '#4f9f93',
      '#398a7f',
      '#28756b',
      '#1d5f58',
      '#134842',
    ],
    gray: [
      '#faf9f7',
      '#f4f2ee',
      '#e9e6e0',
      '#dcd8d0',
      '#c6c1b7',
      '#a49e93',
      '#6b665c',
      '#524e46',
      '#38352f',
      '#23211d',
    ],
    dark: [
      '#e6e4df',
      '#c9c6bf',
      '#aaa69e',
      '#85817a',
      '#4a4742',
      '#3a3834',
      '#2a2926',
      '#201f1d',
      '#181716',
      '#121110',
    ],
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'md' } }),
    Radio: Radio.extend({ defaultProps: { size: 'md' } }),
    Badge: Badge.extend({
      defaultProps: { variant: 'light', radius: 'sm' },
      styles: { label: { textTransform: 'none' } },
    }),
    Modal: Modal.extend({ defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 250 } }),
  },
})

/** Dimmed text, placeholders and errors are darker than the library's own, which miss AA on tinted surfaces. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--rapport-canvas': '#f7f6f3',
    '--rapport-line': '#e4e1da',
    '--rapport-hover': '#f4f2ee',
    '--rapport-select': '#eaf4f2',
    '--mantine-color-text': '#23211d',
    '--mantine-color-dimmed': '#625d54',
    '--mantine-color-placeholder': '#716b61',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-anchor': '#1d5f58',
    '--mantine-color-pine-light-color': '#1d5f58',
    '--mantine-color-gray-light-color': '#524e46',
    '--mantine-color-orange-light-color': '#8f3b0b',
    '--mantine-color-yellow-light-color': '#714a00',
    '--mantine-color-red-light-color': '#a3211a',
    '--mantine-color-blue-light-color': '#1d4f8c',
  },
  dark: {
    '--mantine-color-body': '#1c1b1a',
    '--rapport-canvas': '#151413',
    '--rapport-line': '#33312d',
    '--rapport-hover': '#262422',
    '--rapport-select': '#1c2f2c',
    '--mantine-color-text': '#e6e4df',
    '--mantine-color-dimmed': '#aaa69e',
    '--mantine-color-placeholder': '#9b978f',
    '--mantine-color-error': '#ff9b93',
    '--mantine-color-anchor': '#8fc4bb',
  },
})
