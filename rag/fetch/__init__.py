"""An address → bytes, safely: what a page of the web says, without letting anybody aim us at our own network.

    addresses   text → Address, or a refusal: http(s) only, no credentials, no odd notation, few ports
    network     name → public IP addresses, checked after DNS; the connection goes to the checked one and nowhere else
    client      Fetcher.get: redirects checked hop by hop; time, size and decompression bounded; TLS verified
    manners     robots.txt, a pause between two requests to one host, Retry-After

Built on httpcore, whose network backend is the one place where a socket is opened; the guards on offer for Python are
young or leave total time and decompression unbounded. Knows no document: what is fetched goes through `rag.documents`
like any file, and nothing that stands inside a document is ever fetched.
"""

from rag.fetch.addresses import Address
from rag.fetch.client import Fetched, Fetcher, Limits, Validators
from rag.fetch.manners import Manners
from rag.fetch.naming import file_name

__all__ = ["Address", "Fetched", "Fetcher", "Limits", "Manners", "Validators", "file_name"]
