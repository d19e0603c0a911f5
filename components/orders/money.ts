/** An amount of cents, as `€4.20`. */
export function formatMoney(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`
}
