/** Requests with the cookies of the answers before, as a browser sends them to one site. */

export interface CookieJar {
  /** What a browser would send now. */
  readonly header: string
  /** Sends a request with the cookies, and keeps those of the answer. Follows no redirect. */
  send: (path: string, init?: RequestInit) => Promise<Response>
}

export function createCookieJar(url: string): CookieJar {
  const cookies = new Map<string, string>()

  return {
    get header() {
      return [...cookies].map((pair) => pair.join('=')).join('; ')
    },
    async send(path, init = {}) {
      const headers = new Headers(init.headers)
      headers.set('cookie', this.header)
      headers.set('origin', url)
      const response = await fetch(`${url}${path}`, { ...init, headers, redirect: 'manual' })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return response
    },
  }
}
