import AudioLines from '@lucide/svelte/icons/audio-lines';
import Braces from '@lucide/svelte/icons/braces';
import Image from '@lucide/svelte/icons/image';
import MessageSquare from '@lucide/svelte/icons/message-square';
import ScanSearch from '@lucide/svelte/icons/scan-search';
import Video from '@lucide/svelte/icons/video';
import type { UsageRowView } from '../backend';

/** The picture of a kind of work. */
export function runIcon(kind: string): typeof Video {
  switch (kind) {
    case 'video':
      return Video;
    case 'image':
      return Image;
    case 'audio':
      return AudioLines;
    case 'embedding':
      return Braces;
    case 'search':
      return ScanSearch;
    default:
      return MessageSquare;
  }
}

/** Whether a run was charged, at once or after a hold. */
export function isCharge(row: UsageRowView): boolean {
  return row.kind === 'debit' || row.kind === 'settled';
}
