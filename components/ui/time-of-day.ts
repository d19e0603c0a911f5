/** When an event happened, local, in two parts: `14:03:` and `21.004`. The second is what differs from row to row. */
export function timeOfDay(time: number): [minutes: string, seconds: string] {
  const date = new Date(time)
  const text = date.toTimeString()
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return [text.slice(0, 6), `${text.slice(6, 8)}.${ms}`]
}
