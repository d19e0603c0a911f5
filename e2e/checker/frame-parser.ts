/** Cuts a stream of text into frames, by the rules for event streams: a frame counts once its empty line is there. */

export interface Frame {
  id: string | undefined
  type: string
  data: string
  /** As it came, with the empty line. */
  text: string
}

/** Calls `onFrame` for each whole frame that has data; comments and `retry` alone make none. Lines end in LF. */
export function createFrameParser(
  onFrame: (frame: Frame) => void,
  onOther: (text: string) => void = () => {},
): (text: string) => void {
  let rest = ''
  return (text) => {
    rest += text
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const whole = rest.slice(0, end + 2)
      rest = rest.slice(end + 2)
      const frame = parseFrame(whole)
      if (frame) onFrame(frame)
      else onOther(whole)
    }
  }
}

function parseFrame(text: string): Frame | undefined {
  let id: string | undefined
  let type = 'message'
  const data: string[] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'id') id = value
    else if (name === 'event') type = value
    else if (name === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { id, type, data: data.join('\n'), text }
}
