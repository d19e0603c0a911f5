/** A number for people who read English: `10,000`. The same on server and client, whatever their locales. */
export function formatCount(count: number): string {
  return numbers.format(count)
}

const numbers = new Intl.NumberFormat('en')
