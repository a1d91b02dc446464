/** The POPs that were weighed for a user, in the order of preference, each with why. */
import { Table } from '@mantine/core';
import type { Explanation } from '#core/contract/explain.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { formatDistance, formatMilliseconds } from '../../format/quantity.ts';
import classes from './explain.module.css';

const SHOWN_MAX = 12;

export function CandidatesTable({ steering }: { readonly steering: NonNullable<Explanation['steering']> }) {
  return (
    <Table className={classes.table}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>POP</Table.Th>
          <Table.Th className={classes.number}>Distance</Table.Th>
          <Table.Th className={classes.number} visibleFrom="sm">
            Cost
          </Table.Th>
          <Table.Th>Why</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {steering.candidates.slice(0, SHOWN_MAX).map((candidate) => (
          <Table.Tr key={candidate.popId} data-chosen={candidate.popId === steering.chosenPopId}>
            <Table.Td className={classes.pop}>{candidate.name}</Table.Td>
            <Table.Td className={classes.number}>{formatDistance(candidate.distanceKm)}</Table.Td>
            <Table.Td className={classes.number} visibleFrom="sm">
              {formatMilliseconds(candidate.costMs)}
            </Table.Td>
            <Table.Td>
              {candidate.popId === steering.chosenPopId ? (
                <StateBadge tone="good">Chosen</StateBadge>
              ) : (
                !candidate.isUsable && <StateBadge tone="bad">Not usable</StateBadge>
              )}{' '}
              <span className={classes.reason}>{candidate.reason.replace(/^chosen: /, '')}</span>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
