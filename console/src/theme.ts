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

/** Mantine's reds are too light for white text on them. */
const RED: MantineColorsTuple = [
  '#fdeced',
  '#fbd5d8',
  '#f5a9af',
  '#f27d86',
  '#f0707a',
  '#e0505b',
  '#d93843',
  '#cf2f3b',
  '#b32631',
  '#8f1d27',
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
  colors: { iris: IRIS, red: RED, dark: NIGHT },
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
        closeButtonProps: { 'aria-label': 'Close' },
        overlayProps: { backgroundOpacity: 0.5, blur: 3 },
      },
    },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
    Table: { defaultProps: { verticalSpacing: 'sm', horizontalSpacing: 'md' } },
  },
});
