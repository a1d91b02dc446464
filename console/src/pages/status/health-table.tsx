/** The name server's verdict on every edge: who gets users. */
import { Table } from '@mantine/core';
import type { Status } from '#core/contract/status.ts';
import { Panel } from '../../components/panel.tsx';
import { StateBadge, type Tone } from '../../components/state-badge.tsx';
import { formatDuration } from '../../format/duration.ts';
import classes from './status.module.css';

type Health = Status['health'][number];

const STATES: Readonly<Record<Health['state'], { tone: Tone; word: string }>> = {
  up: { tone: 'good', word: 'Up' },
  down: { tone: 'bad', word: 'Down' },
  unknown: { tone: 'quiet', word: 'Not heard of' },
};

export function HealthTable({ health }: { readonly health: Status['health'] }) {
  return (
    <Panel
      title="Health of the edges"
      description={
        health.length === 0
          ? 'No name server answers, so there is no verdict to show.'
          : 'As the name server sees them. Users are sent to edges that are up, or that it has not heard of yet.'
      }
      isFlush
    >
      {health.length > 0 && (
        <Table className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Edge</Table.Th>
              <Table.Th visibleFrom="xs">POP</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Why</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {health.map((verdict) => (
              <Table.Tr key={verdict.edgeId}>
                <Table.Td className={classes.name}>{verdict.edgeId}</Table.Td>
                <Table.Td visibleFrom="xs">{verdict.popId}</Table.Td>
                <Table.Td>
                  <StateBadge tone={STATES[verdict.state].tone}>{STATES[verdict.state].word}</StateBadge>
                </Table.Td>
                <Table.Td>
                  {verdict.reason}
                  <span className={classes.since}>
                    {verdict.state === 'unknown'
                      ? ''
                      : ` for ${formatDuration((Date.now() - verdict.since) / 1000)}`}
                  </span>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}
