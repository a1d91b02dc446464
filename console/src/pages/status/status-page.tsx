/** The state of the whole system: what is in force, which parts run, and what the name server says of the edges. */
import { Skeleton } from '@mantine/core';
import type { Status } from '#core/contract/status.ts';
import { useStatus } from '../../api/queries.ts';
import { CopyText } from '../../components/copy-text.tsx';
import { Failure } from '../../components/failure.tsx';
import { FigureList } from '../../components/figure-list.tsx';
import pageClasses from '../../components/page.module.css';
import { PageHeader } from '../../components/page-header.tsx';
import { Panel } from '../../components/panel.tsx';
import { StateBadge, type Tone } from '../../components/state-badge.tsx';
import { HealthTable } from './health-table.tsx';
import { PartsTable } from './parts-table.tsx';
import classes from './status.module.css';

const SUMMARIES: Readonly<Record<Status['status'], { tone: Tone; word: string; sentence: string }>> = {
  ok: {
    tone: 'good',
    word: 'All parts ready',
    sentence: 'Every part runs and has the configuration in force.',
  },
  starting: { tone: 'warning', word: 'Starting', sentence: 'Some parts have not been ready yet.' },
  degraded: {
    tone: 'bad',
    word: 'Degraded',
    sentence: 'A part that was ready is not. Those that run serve on; a part that died is started again.',
  },
};

function Summary({ status }: { readonly status: Status }) {
  const { tone, word, sentence } = SUMMARIES[status.status];
  const { totals } = status;
  return (
    <div className={classes.summary}>
      <Panel title={<StateBadge tone={tone}>{word}</StateBadge>}>
        <p className={classes.sentence}>{sentence}</p>
        {status.missing.length > 0 && (
          <p className={classes.sentence}>Missing: {status.missing.join(', ')}</p>
        )}
      </Panel>
      <Panel title="In force">
        <FigureList
          figures={[
            ['Generation', status.generation],
            ['Version', status.version],
            ['Purges ordered', totals.purges],
          ]}
        />
      </Panel>
      <Panel title="Name service">
        <FigureList
          figures={[
            ['Zone', <CopyText key="zone" text={status.zone} what="zone" />],
            ['Answers at', <CopyText key="address" text={status.dnsAddress} what="address" />],
            ['Networks placed by hand', totals.networks],
          ]}
        />
      </Panel>
    </div>
  );
}

export default function StatusPage() {
  const status = useStatus();
  return (
    <>
      <PageHeader title="Status" description="The parts of Perigee and what they say of themselves." />
      {status.data === undefined ? (
        status.error === null ? (
          <Skeleton height={420} radius="lg" />
        ) : (
          <Failure error={status.error} />
        )
      ) : (
        <div className={pageClasses.stack}>
          <Summary status={status.data} />
          <PartsTable status={status.data} />
          <HealthTable health={status.data.health} />
        </div>
      )}
    </>
  );
}
