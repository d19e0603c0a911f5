/** What a client component gets in place of `next-sse`: the build fails, and names the page that leads here. */
import 'server-only'
