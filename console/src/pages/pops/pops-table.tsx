/** POPs as a table, by name. */
import MoreIcon from '@heroicons/react/24/outline/EllipsisHorizontalIcon';
import { ActionIcon, Menu, Table, VisuallyHidden } from '@mantine/core';
import { useSetPopState } from '../../api/mutations.ts';
import { describeState, type PopSituation } from '../../api/pop-situation.ts';
import { PopStateBadge } from '../../components/pop-state-badge.tsx';
import { formatBitRate, formatRate, formatRatio } from '../../format/quantity.ts';
import classes from './pops.module.css';

function formatLocation(situation: PopSituation): string {
  const { location } = situation.pop;
  if (location === null) return 'nowhere in particular';
  const north = `${Math.abs(location.latitude).toFixed(1)}° ${location.latitude >= 0 ? 'N' : 'S'}`;
  const east = `${Math.abs(location.longitude).toFixed(1)}° ${location.longitude >= 0 ? 'E' : 'W'}`;
  return `${north}, ${east}`;
}

interface PopMenuProps {
  readonly situation: PopSituation;
  readonly onDelete: () => void;
}

function PopMenu({ situation, onDelete }: PopMenuProps) {
  const setState = useSetPopState();
  const { id, name, state } = situation.pop;
  const isDrained = state === 'drained';
  return (
    <Menu position="bottom-end" width={200} shadow="md">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Actions for ${name}`}
          loading={setState.isPending}
        >
          <MoreIcon width={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => setState.mutate({ id, state: isDrained ? 'active' : 'drained' })}>
          {isDrained ? 'Take users again' : 'Drain: send no new users'}
        </Menu.Item>
        <Menu.Item color="red" onClick={onDelete}>
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface PopsTableProps {
  readonly situations: readonly PopSituation[];
  readonly shownPopId: string | null;
  readonly onDelete: (situation: PopSituation) => void;
}

function PopRow(props: {
  readonly situation: PopSituation;
  readonly isShown: boolean;
  readonly onDelete: () => void;
}) {
  const { situation } = props;
  const { pop } = situation;
  const addresses = pop.edges.flatMap((edge) => edge.addresses);
  return (
    <Table.Tr data-shown={props.isShown}>
      <Table.Td>
        <div className={classes.name}>{pop.name}</div>
        <div className={classes.below}>{formatLocation(situation)}</div>
      </Table.Td>
      <Table.Td>
        <PopStateBadge situation={situation} />
        <div className={classes.below}>{situation.reason ?? describeState(situation).sentence}</div>
      </Table.Td>
      <Table.Td visibleFrom="md" className={classes.addresses}>
        {addresses.slice(0, 3).map((address) => (
          <div key={address}>{address}</div>
        ))}
        {addresses.length > 3 && <div>and {addresses.length - 3} more</div>}
      </Table.Td>
      <Table.Td className={classes.number}>{formatRate(situation.requestsPerSecond)}/s</Table.Td>
      <Table.Td className={classes.number} visibleFrom="sm">
        {formatBitRate(situation.bytesPerSecond)}
      </Table.Td>
      <Table.Td className={classes.number} visibleFrom="sm">
        {formatRatio(situation.hitRatio)}
      </Table.Td>
      <Table.Td className={classes.menu}>
        <PopMenu situation={situation} onDelete={props.onDelete} />
      </Table.Td>
    </Table.Tr>
  );
}

export function PopsTable(props: PopsTableProps) {
  return (
    <Table className={classes.table}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>POP</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th visibleFrom="md">Addresses</Table.Th>
          <Table.Th className={classes.number}>Requests</Table.Th>
          <Table.Th className={classes.number} visibleFrom="sm">
            To users
          </Table.Th>
          <Table.Th className={classes.number} visibleFrom="sm">
            Hit ratio
          </Table.Th>
          <Table.Th>
            <VisuallyHidden>Actions</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {[...props.situations]
          .sort((a, b) => a.pop.name.localeCompare(b.pop.name))
          .map((situation) => (
            <PopRow
              key={situation.pop.id}
              situation={situation}
              isShown={situation.pop.id === props.shownPopId}
              onDelete={() => props.onDelete(situation)}
            />
          ))}
      </Table.Tbody>
    </Table>
  );
}
