/** A site's hosts and origins, how it is cached, and its end. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { SiteView } from '#core/contract/sites.ts';
import { useDeleteSite } from '../../api/mutations.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import pageClasses from '../../components/page.module.css';
import { Panel } from '../../components/panel.tsx';
import { CachingForm } from './caching-form.tsx';
import { SettingsForm } from './settings-form.tsx';

function DeletePanel({ site }: { readonly site: SiteView }) {
  const [isConfirming, setConfirming] = useState(false);
  const [, setLocation] = useLocation();
  const deleteSite = useDeleteSite();
  return (
    <Panel title="Delete this site" description="Edges stop answering for its hosts at once.">
      <Button color="red" variant="outline" onClick={() => setConfirming(true)}>
        Delete site…
      </Button>
      <ConfirmDialog
        isOpen={isConfirming}
        title={`Delete ${site.id}?`}
        confirmLabel="Delete site"
        isPending={deleteSite.isPending}
        error={deleteSite.error}
        onConfirm={() => deleteSite.mutate(site.id, { onSuccess: () => setLocation('/sites') })}
        onClose={() => setConfirming(false)}
      >
        Whoever still resolves {site.hosts.join(', ')} to Perigee gets an error page from then on. Point the
        CNAME back to the origin first.
      </ConfirmDialog>
    </Panel>
  );
}

export function SettingsTab({ site }: { readonly site: SiteView }) {
  return (
    <div className={pageClasses.stack}>
      <SettingsForm key={site.id} site={site} />
      <CachingForm key={`${site.id} caching`} site={site} />
      <DeletePanel site={site} />
    </div>
  );
}
