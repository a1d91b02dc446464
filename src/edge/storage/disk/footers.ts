/** Of a segment file, what records it has: from its footer, or where it has none, from the records themselves. */
import { Octets } from '../octets.ts';
import { SlicesOfTime } from '../slices-of-time.ts';
import type { DiskCalls, SegmentHandle } from './disk-calls.ts';
import {
  CHUNK_BYTES,
  entryOfRecord,
  FOOTER_TRAILER_BYTES,
  type FooterEntry,
  footerBytes,
  footerBytesOf,
  readFooter,
  writeFooter,
} from './segment-format.ts';

/** Read at a time when there is no footer: more than any record has. */
const BLOCK_BYTES = 2 * CHUNK_BYTES;

/**
 * The entries of a sealed segment, or of one whose worker died: that gets its footer now. Rejects with what the system
 * says.
 */
export async function entriesOf(calls: DiskCalls, file: string): Promise<FooterEntry[]> {
  const handle = await calls.open(file);
  try {
    const { entries, isSealed } = await entriesIn(handle);
    if (!isSealed) await finish(handle, entries);
    return entries;
  } finally {
    await handle.close();
  }
}

/** The same of an open file, which is only read. */
export async function entriesIn(
  handle: SegmentHandle,
): Promise<{ entries: FooterEntry[]; isSealed: boolean }> {
  const { size } = await handle.stat();
  const listed = await readListed(handle, size);
  if (listed !== null) return { entries: listed, isSealed: true };
  return { entries: await scan(handle, size), isSealed: false };
}

async function readListed(handle: SegmentHandle, size: number): Promise<FooterEntry[] | null> {
  if (size < FOOTER_TRAILER_BYTES) return null;
  const byteLength = footerBytesOf(await readAt(handle, size - FOOTER_TRAILER_BYTES, FOOTER_TRAILER_BYTES));
  if (byteLength === null || byteLength > size) return null;
  const entries = readFooter(await readAt(handle, size - byteLength, byteLength));
  const end = size - byteLength;
  return entries?.every(({ offset, byteLength: length }) => offset + length <= end) ? entries : null;
}

/** Records one behind the other, as far as they are whole. */
async function scan(handle: SegmentHandle, size: number): Promise<FooterEntry[]> {
  const entries: FooterEntry[] = [];
  const time = new SlicesOfTime();
  for (let blockAt = 0; blockAt < size; ) {
    const block = await readAt(handle, blockAt, Math.min(BLOCK_BYTES, size - blockAt));
    const { byteLength } = block.bytes;
    let at = 0;
    while (at < byteLength) {
      const entry = entryOfRecord(block, at, blockAt + at, byteLength - at);
      if (entry === null) break;
      entries.push(entry);
      at += entry.byteLength;
      if (time.isOver) await time.next();
    }
    // Nothing whole at the beginning of a block: here it ends.
    if (at === 0) break;
    blockAt += at;
  }
  return entries;
}

async function finish(handle: SegmentHandle, entries: readonly FooterEntry[]): Promise<void> {
  const last = entries.at(-1);
  const end = last === undefined ? 0 : last.offset + last.byteLength;
  const footer = Octets.allocate(footerBytes(entries.length));
  writeFooter(footer, entries);
  await handle.truncate(end);
  await handle.datasync();
  await handle.write(footer.bytes, 0, footer.bytes.byteLength, end);
}

/** Octets of a file, in memory of their own. Rejects when they are not all there. */
export async function readAt(handle: SegmentHandle, at: number, byteLength: number): Promise<Octets> {
  const octets = Octets.allocate(Math.ceil(byteLength / 8) * 8);
  const { bytesRead } = await handle.read(octets.bytes, 0, byteLength, at);
  if (bytesRead < byteLength) throw new Error(`${bytesRead} of ${byteLength} octets could be read`);
  return octets;
}
