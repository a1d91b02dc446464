/** All POPs: their state and traffic; add one, send no more users to one, delete one. */
import PlusIcon from '@heroicons/react/24/outline/PlusIcon';
import ServerIcon from '@heroicons/react/24/outline/ServerStackIcon';
import { Button, Skeleton } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { type PopSituation, popSituations } from '../../api/pop-situation.ts';
import { useLiveStats, usePops, useStatus } from '../../api/queries.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Failure } from '../../components/failure.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Panel } from '../../components/panel.tsx';
import { AddPopDialog } from './add-pop-dialog.tsx';
import { DeletePopDialog } from './delete-pop-dialog.tsx';
import { PopsTable } from './pops-table.tsx';

function PopsPanel(props: { readonly onAdd: () => void; readonly onDelete: (pop: PopSituation) => void }) {
  const pops = usePops();
  const status = useStatus();
  const live = useLiveStats();
  const [parameters] = useSearchParams();
  if (pops.data === undefined) {
    return pops.error === null ? <Skeleton height={320} radius="lg" /> : <Failure error={pops.error} />;
  }
  return (
    <Panel isFlush>
      {pops.data.length === 0 ? (
        <EmptyState
          Icon={ServerIcon}
          title="Add your first POP"
          action={<Button onClick={props.onAdd}>Add a POP</Button>}
        >
          Say in which city it is and which addresses its edge has. The name server then sends the users
          nearest to it there.
        </EmptyState>
      ) : (
        <PopsTable
          situations={popSituations(pops.data, status.data, live.data)}
          shownPopId={parameters.get('show')}
          onDelete={props.onDelete}
        />
      )}
    </Panel>
  );
}

export default function PopsPage() {
  const [isAdding, setAdding] = useState(false);
  const [deleted, setDeleted] = useState<PopSituation | null>(null);
  return (
    <>
      <PageHeader
        title="POPs"
        description="Places with edges. Users are sent to the nearest one that is healthy and not drained."
        actions={
          <Button size="xs" leftSection={<PlusIcon width={16} />} onClick={() => setAdding(true)}>
            Add a POP
          </Button>
        }
      />
      <PopsPanel onAdd={() => setAdding(true)} onDelete={setDeleted} />
      <AddPopDialog isOpen={isAdding} onClose={() => setAdding(false)} />
      <DeletePopDialog situation={deleted} onClose={() => setDeleted(null)} />
    </>
  );
}
