/** Whether a page came where the path asks for a static file: the mark of web cache deception. */
import { mediaTypeOf } from '#core/http/media-type.ts';

/** Endings under which no site serves a page. */
const STATIC_ENDINGS: ReadonlySet<string> = new Set([
  ...[
    '7z',
    'aac',
    'apk',
    'avi',
    'avif',
    'bin',
    'bmp',
    'bz2',
    'class',
    'css',
    'csv',
    'dmg',
    'doc',
    'docx',
    'ejs',
  ],
  ...[
    'eot',
    'eps',
    'exe',
    'flac',
    'flv',
    'gif',
    'gz',
    'ico',
    'iso',
    'jar',
    'jpeg',
    'jpg',
    'js',
    'json',
    'm3u8',
  ],
  ...[
    'm4a',
    'm4s',
    'm4v',
    'map',
    'mid',
    'midi',
    'mjs',
    'mkv',
    'mov',
    'mp3',
    'mp4',
    'mpd',
    'mpeg',
    'ogg',
    'otf',
  ],
  ...[
    'pdf',
    'pict',
    'png',
    'ppt',
    'pptx',
    'ps',
    'rar',
    'svg',
    'svgz',
    'swf',
    'tar',
    'tgz',
    'tif',
    'tiff',
    'ts',
  ],
  ...[
    'ttf',
    'txt',
    'wasm',
    'wav',
    'webm',
    'webmanifest',
    'webp',
    'woff',
    'woff2',
    'xls',
    'xlsx',
    'zip',
    'zst',
  ],
]);

const PAGE_TYPES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

/** `path`: normalised, with or without the query. */
export function isMistypedFile(path: string, contentType: string | null): boolean {
  const mediaType = contentType === null ? null : mediaTypeOf(contentType);
  return mediaType !== null && PAGE_TYPES.has(mediaType) && STATIC_ENDINGS.has(endingOf(path));
}

/** What follows the last dot of the last segment, in lower case; '' where there is none. */
function endingOf(path: string): string {
  const question = path.indexOf('?');
  const end = question === -1 ? path.length : question;
  const dot = path.lastIndexOf('.', end - 1);
  if (dot === -1 || path.lastIndexOf('/', end - 1) > dot) return '';
  return path.slice(dot + 1, end).toLowerCase();
}
