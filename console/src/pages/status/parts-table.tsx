/** Every part with its configuration, memory and, for edges, how full its cache is. */
import { Table } from '@mantine/core';
import type { PartView, Status } from '#core/contract/status.ts';
import { Panel } from '../../components/panel.tsx';
import { ShareBar } from '../../components/share-bar.tsx';
import { StateBadge, type Tone } from '../../components/state-badge.tsx';
import { formatDuration } from '../../format/duration.ts';
import { formatBytes, formatCount } from '../../format/quantity.ts';
import classes from './status.module.css';

const STATES: Readonly<Record<PartView['state'], { tone: Tone; word: string }>> = {
  ready: { tone: 'good', word: 'Ready' },
  behind: { tone: 'warning', word: 'Behind' },
  silent: { tone: 'bad', word: 'Silent' },
};

/** `edge:fra-1/0` is worker 0 of the edge fra-1, `edge:fra-1/http3` what serves its HTTP/3. */
function namePart(part: string): string {
  const edge = /^edge:(.+)\/(\d+|http3)$/.exec(part);
  if (edge !== null) return `Edge ${edge[1]}, ${edge[2] === 'http3' ? 'HTTP/3' : `worker ${edge[2]}`}`;
  if (part === 'control') return 'Control plane';
  return part === 'nameserver' ? 'Name server' : part;
}

function CacheFill({ storage }: { readonly storage: PartView['storage'] }) {
  if (storage === null) return null;
  return (
    <div className={classes.fill}>
      <ShareBar share={storage.budgetBytes > 0 ? storage.bodyBytes / storage.budgetBytes : 0} />
      {formatBytes(storage.bodyBytes)} of {formatBytes(storage.budgetBytes)},{' '}
      {formatCount(storage.storedResponses)} responses
    </div>
  );
}

function PartRow({ part }: { readonly part: PartView }) {
  const { tone, word } = STATES[part.state];
  return (
    <Table.Tr>
      <Table.Td>
        <div className={classes.name}>{namePart(part.part)}</div>
        {part.error !== null && <div className={classes.error}>{part.error}</div>}
        {part.storage?.problem && <div className={classes.error}>{part.storage.problem}</div>}
      </Table.Td>
      <Table.Td>
        <StateBadge tone={tone}>{word}</StateBadge>
      </Table.Td>
      <Table.Td className={classes.number} visibleFrom="sm">
        {part.generation ?? '–'}
      </Table.Td>
      <Table.Td className={classes.number} visibleFrom="sm">
        {part.startedAt === null ? '–' : formatDuration((Date.now() - part.startedAt) / 1000)}
      </Table.Td>
      <Table.Td className={classes.number} visibleFrom="sm">
        {part.residentBytes === null ? '–' : formatBytes(part.residentBytes)}
      </Table.Td>
      <Table.Td>
        <CacheFill storage={part.storage} />
      </Table.Td>
    </Table.Tr>
  );
}

export function PartsTable({ status }: { readonly status: Status }) {
  return (
    <Panel title="Parts" description="Ready: runs and has the generation in force." isFlush>
      <Table className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Part</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th className={classes.number} visibleFrom="sm">
              Generation
            </Table.Th>
            <Table.Th className={classes.number} visibleFrom="sm">
              Up for
            </Table.Th>
            <Table.Th className={classes.number} visibleFrom="sm">
              Memory
            </Table.Th>
            <Table.Th>Cache</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {status.parts.map((part) => (
            <PartRow key={part.part} part={part} />
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}
