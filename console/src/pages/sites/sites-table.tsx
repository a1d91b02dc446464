/** Sites as a table, the busiest first. */
import { Pagination, Table } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { SiteView } from '#core/contract/sites.ts';
import type { Stats, Traffic } from '#core/contract/stats.ts';
import { NO_TRAFFIC } from '../../api/traffic.ts';
import { Sparkline } from '../../components/chart/sparkline.tsx';
import { CopyText } from '../../components/copy-text.tsx';
import { formatBytes, formatCount, formatRatio } from '../../format/quantity.ts';
import classes from './sites.module.css';

const ROWS_PER_PAGE = 25;

interface SiteRowProps {
  readonly site: SiteView;
  readonly totals: Traffic;
  readonly course: readonly number[];
}

function SiteRow({ site, totals, course }: SiteRowProps) {
  const moreHosts = site.hosts.length - 1;
  const moreOrigins = site.origins.length - 1;
  return (
    <Table.Tr>
      <Table.Td>
        <Link href={`/sites/${site.id}`} className={classes.host}>
          {site.hosts[0]}
        </Link>
        <div className={classes.below}>{moreHosts > 0 ? `${site.id}, ${moreHosts} more hosts` : site.id}</div>
      </Table.Td>
      <Table.Td visibleFrom="md">
        <CopyText text={site.cname} what="CNAME" />
      </Table.Td>
      <Table.Td visibleFrom="lg" className={classes.origin}>
        {site.origins[0]?.url}
        {moreOrigins > 0 && <div className={classes.below}>and {moreOrigins} to fall back on</div>}
      </Table.Td>
      <Table.Td visibleFrom="xl" className={classes.course}>
        <Sparkline values={course} color="var(--cache)" />
      </Table.Td>
      <Table.Td className={classes.number}>{formatCount(totals.requests)}</Table.Td>
      <Table.Td className={classes.number}>{formatRatio(totals.hitRatio)}</Table.Td>
      <Table.Td className={classes.number} visibleFrom="xs">
        {formatBytes(totals.bytesSaved)}
      </Table.Td>
    </Table.Tr>
  );
}

interface SitesTableProps {
  readonly sites: readonly SiteView[];
  readonly traffic: Stats | undefined;
}

export function SitesTable(props: SitesTableProps) {
  const [page, setPage] = useState(1);
  const trafficById = new Map(props.traffic?.sites.map((traffic) => [traffic.id, traffic]));
  const requestsOf = (site: SiteView) => trafficById.get(site.id)?.totals.requests ?? 0;
  const sites = [...props.sites].sort((a, b) => requestsOf(b) - requestsOf(a));
  const pages = Math.ceil(sites.length / ROWS_PER_PAGE);
  const first = (Math.min(page, pages) - 1) * ROWS_PER_PAGE;
  return (
    <>
      <Table highlightOnHover className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Host</Table.Th>
            <Table.Th visibleFrom="md">CNAME</Table.Th>
            <Table.Th visibleFrom="lg">Origin</Table.Th>
            <Table.Th visibleFrom="xl">Traffic</Table.Th>
            <Table.Th className={classes.number}>Requests</Table.Th>
            <Table.Th className={classes.number}>Hit ratio</Table.Th>
            <Table.Th className={classes.number} visibleFrom="xs">
              Bytes saved
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sites.slice(first, first + ROWS_PER_PAGE).map((site) => {
            const traffic = trafficById.get(site.id);
            return (
              <SiteRow
                key={site.id}
                site={site}
                totals={traffic?.totals ?? NO_TRAFFIC}
                course={traffic?.series.map((point) => point.requests) ?? []}
              />
            );
          })}
        </Table.Tbody>
      </Table>
      {pages > 1 && <Pagination total={pages} value={page} onChange={setPage} p="md" size="sm" />}
    </>
  );
}
