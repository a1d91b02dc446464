/** Mantine's theme: the font, the accent and the sizes that all pages share. Colours of panels are in `styles/tokens.css`. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const IRIS: MantineColorsTuple = [
  '#eeecff',
  '#dbd7ff',
  '#b9b1ff',
  '#9b93ff',
  '#7f75fb',
  '#6c61f3',
  '#5f53ec',
  '#5246e0',
  '#4539c4',
  '#372d9e',
];

/** Mantine's dark scale in the blue-black of `styles/tokens.css`: text first, ground last. */
const NIGHT: MantineColorsTuple = [
  '#eceefa',
  '#c3c8de',
  '#a6adc8',
  '#858dab',
  '#303751',
  '#242a3f',
  '#181c2b',
  '#10131f',
  '#0c0f19',
  '#090b13',
];

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: { light: 7, dark: 6 },
  colors: { iris: IRIS, dark: NIGHT },
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", sans-serif',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: '"Inter Variable", system-ui, sans-serif', fontWeight: '650' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: {
      defaultProps: {
        centered: true,
        radius: 'lg',
        padding: 'lg',
        overlayProps: { backgroundOpacity: 0.5, blur: 3 },
      },
    },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
    Table: { defaultProps: { verticalSpacing: 'sm', horizontalSpacing: 'md' } },
  },
});
