/** What the owner of a site does next: one record in their DNS. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { Link } from 'wouter';
import type { SiteView } from '#core/contract/sites.ts';
import { CopyText } from '../../components/copy-text.tsx';

export function NextStep({ site }: { readonly site: SiteView }) {
  return (
    <Stack gap="md">
      <Text size="sm">
        Every edge has it now. <strong>Next: point your CNAME to Perigee.</strong> At whoever hosts the DNS of{' '}
        {site.hosts[0]}, set this record; users come here as their resolvers take it up.
      </Text>
      {site.hosts.map((host) => (
        <CopyText key={host} isBlock what="record" text={`${host}. CNAME ${site.cname}.`} />
      ))}
      <Text size="sm" c="dimmed">
        Until then the name server answers for {site.cname} already, so that the site can be tried without
        changing anything.
      </Text>
      <Group justify="flex-end">
        <Button component={Link} href={`/sites/${site.id}`}>
          Open the site
        </Button>
      </Group>
    </Stack>
  );
}
