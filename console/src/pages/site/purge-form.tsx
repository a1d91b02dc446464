/** The purge itself: by URL, prefix, tag, host, or everything (asked twice), with each edge's receipt. */
import {
  Alert,
  Button,
  Checkbox,
  Group,
  NativeSelect,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { PurgeView } from '#core/contract/purges.ts';
import type { SiteView } from '#core/contract/sites.ts';
import { type PurgeTarget, purgeTargetSchema } from '#core/model/purge.ts';
import { usePurge } from '../../api/mutations.ts';
import { refusalText } from '../../api/refusal.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { Panel } from '../../components/panel.tsx';
import { FormMessage } from '../../forms/form-message.tsx';
import { describeReceipts, describeTarget } from './purge-text.ts';

const KINDS = [
  { value: 'url', label: 'URL' },
  { value: 'prefix', label: 'Prefix' },
  { value: 'tag', label: 'Tag' },
  { value: 'host', label: 'Host' },
  { value: 'everything', label: 'Everything' },
] as const satisfies readonly { readonly value: PurgeTarget['kind']; readonly label: string }[];

type Kind = (typeof KINDS)[number]['value'];

const INPUTS = {
  url: {
    label: 'URL',
    help: 'One URL in all its variants.',
    placeholder: (host: string) => `https://${host}/style.css`,
  },
  prefix: {
    label: 'Path prefix',
    help: 'Everything whose path begins like this.',
    placeholder: () => '/images/',
  },
  tag: {
    label: 'Tag',
    help: 'Everything the origin marked with this Cache-Tag, Surrogate-Key or Cache-Groups.',
    placeholder: () => 'product-42',
  },
} as const;

function toTarget(kind: Kind, typed: string, site: SiteView): PurgeTarget {
  const value = typed.trim();
  switch (kind) {
    case 'url':
      // A path alone means the site's own first host.
      return { kind, url: value.startsWith('/') ? `http://${site.hosts[0]}${value}` : value };
    case 'prefix':
      return { kind, siteId: site.id, prefix: value };
    case 'tag':
      return { kind, siteId: site.id, tag: value };
    case 'host':
      return { kind, siteId: site.id, host: value === '' ? (site.hosts[0] ?? '') : value };
    case 'everything':
      return { kind, siteId: site.id };
  }
}

function check(target: PurgeTarget, typed: string): string | null {
  if (target.kind !== 'everything' && target.kind !== 'host' && typed.trim() === '') return 'is missing';
  const result = purgeTargetSchema.safeParse(target);
  return result.success ? null : (result.error.issues[0]?.message ?? 'is not valid');
}

function Receipt({ purge }: { readonly purge: PurgeView }) {
  const failed = purge.receipts.filter((receipt) => !receipt.applied);
  return (
    <Alert color={failed.length === 0 ? 'teal' : 'red'} variant="light" role="status">
      <strong>{describeTarget(purge.target)}</strong> is purged: {describeReceipts(purge)} edge workers.{' '}
      {purge.soft ? 'What was stored is stale from now on.' : 'Requests from now on get fresh content.'}
      {failed.map((receipt) => (
        <div key={receipt.part}>
          {receipt.part}: {receipt.error ?? 'did not answer'}
        </div>
      ))}
    </Alert>
  );
}

interface PurgeInputProps {
  readonly kind: Kind;
  readonly site: SiteView;
  readonly typed: string;
  readonly problem: string | null;
  readonly onType: (typed: string) => void;
}

function PurgeInput({ kind, site, typed, problem, onType }: PurgeInputProps) {
  if (kind === 'everything') {
    return (
      <Text size="sm" c="dimmed">
        All stored responses of this site. Its origin will see every request until they are stored again.
      </Text>
    );
  }
  if (kind === 'host') {
    return (
      <NativeSelect
        label="Host"
        description="Everything stored under this host of the site."
        data={[...site.hosts]}
        value={typed === '' ? site.hosts[0] : typed}
        onChange={(event) => onType(event.currentTarget.value)}
        error={problem}
      />
    );
  }
  const { label, help, placeholder } = INPUTS[kind];
  return (
    <TextInput
      label={label}
      description={help}
      placeholder={placeholder(site.hosts[0] ?? '')}
      value={typed}
      onChange={(event) => onType(event.currentTarget.value)}
      error={problem}
    />
  );
}

/** What is to be purged, whether it can be, and the order itself. */
function usePurgeOrder(site: SiteView) {
  const purge = usePurge();
  const [kind, setKind] = useState<Kind>('url');
  const [typed, setTyped] = useState('');
  const [isSoft, setSoft] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [isConfirming, setConfirming] = useState(false);
  const order = () =>
    purge.mutate({ ...toTarget(kind, typed, site), soft: isSoft }, { onSettled: () => setConfirming(false) });
  return {
    purge,
    kind,
    typed,
    setTyped,
    isSoft,
    setSoft,
    problem,
    isConfirming,
    setConfirming,
    order,
    choose(value: string) {
      setKind(KINDS.find((candidate) => candidate.value === value)?.value ?? 'url');
      setTyped('');
      setProblem(null);
      purge.reset();
    },
    submit(event: FormEvent) {
      event.preventDefault();
      const found = check(toTarget(kind, typed, site), typed);
      setProblem(found);
      purge.reset();
      if (found !== null) return;
      if (kind === 'everything') setConfirming(true);
      else order();
    },
  };
}

export function PurgeForm({ site }: { readonly site: SiteView }) {
  const form = usePurgeOrder(site);
  const { purge, kind, typed, isSoft, isConfirming, setConfirming, order } = form;
  return (
    <Panel
      title="Purge"
      description="What is purged is fetched from the origin again when it is next asked for."
    >
      <form onSubmit={form.submit} noValidate>
        <Stack gap="md" maw={640}>
          <SegmentedControl
            aria-label="What to purge"
            data={[...KINDS]}
            value={kind}
            onChange={form.choose}
          />
          <PurgeInput kind={kind} site={site} typed={typed} problem={form.problem} onType={form.setTyped} />
          <Checkbox
            label="Soft"
            description="What is stored becomes stale instead of unusable: it is validated with the origin, and still serves where stale responses may."
            checked={isSoft}
            onChange={(event) => form.setSoft(event.currentTarget.checked)}
          />
          <Group>
            <Button type="submit" color="red" loading={purge.isPending}>
              {kind === 'everything' ? 'Purge everything…' : 'Purge'}
            </Button>
          </Group>
          {purge.data !== undefined && <Receipt purge={purge.data} />}
          <FormMessage message={purge.error === null ? null : refusalText(purge.error)} />
        </Stack>
      </form>
      <ConfirmDialog
        isOpen={isConfirming}
        title={`Purge everything of ${site.id}?`}
        confirmLabel="Purge everything"
        isPending={purge.isPending}
        error={null}
        onConfirm={order}
        onClose={() => setConfirming(false)}
      >
        {isSoft
          ? `Every edge validates what it has stored for ${site.hosts.join(', ')} before it uses it again, or while.`
          : `Every edge stops using what it has stored for ${site.hosts.join(', ')}. The origin sees every request until the responses are stored again.`}
      </ConfirmDialog>
    </Panel>
  );
}
