/** Orders that stored responses be used no more, shows which edges have obeyed, and what was ordered before. */
import { Badge, Table } from '@mantine/core';
import type { PurgeView } from '#core/contract/purges.ts';
import type { SiteView } from '#core/contract/sites.ts';
import { usePurges } from '../../api/queries.ts';
import pageClasses from '../../components/page.module.css';
import { Panel } from '../../components/panel.tsx';
import { formatMoment } from '../../format/duration.ts';
import { PurgeForm } from './purge-form.tsx';
import { concernsSite, describeReceipts, describeTarget } from './purge-text.ts';
import classes from './site.module.css';

const LISTED_MAX = 20;

function PurgeHistory({ purges }: { readonly purges: readonly PurgeView[] }) {
  return (
    <Panel title="Purges of this site" description="The latest first" isFlush>
      <Table className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th visibleFrom="sm">When</Table.Th>
            <Table.Th>Edges</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {purges.map((purge) => (
            <Table.Tr key={purge.position}>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>
                {describeTarget(purge.target)}
                {purge.soft && ' (soft)'}
              </Table.Td>
              <Table.Td visibleFrom="sm">{formatMoment(purge.requestedAt)}</Table.Td>
              <Table.Td>
                <Badge
                  variant="light"
                  color={purge.receipts.every(({ applied }) => applied) ? 'teal' : 'red'}
                  tt="none"
                >
                  {describeReceipts(purge)}
                </Badge>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

export function PurgeTab({ site }: { readonly site: SiteView }) {
  const purges = usePurges();
  const ofSite = (purges.data?.purges ?? []).filter((purge) => concernsSite(purge.target, site));
  return (
    <div className={pageClasses.stack}>
      <PurgeForm site={site} />
      {ofSite.length > 0 && <PurgeHistory purges={ofSite.slice(0, LISTED_MAX)} />}
    </div>
  );
}
