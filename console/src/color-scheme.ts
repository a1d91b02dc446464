/**
 * Sets light or dark before anything is painted, so that a page opened in the dark does not flash. A script
 * of its own, because the page's content policy allows none inline. The key is Mantine's.
 */
export {};

const chosen = localStorage.getItem('mantine-color-scheme-value');
const isDark =
  chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light');
