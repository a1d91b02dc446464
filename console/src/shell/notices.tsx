/** Where notices appear. Loaded after the first page, which has none. */
import { Notifications } from '@mantine/notifications';

export default function Notices() {
  return <Notifications position="bottom-right" limit={3} />;
}
