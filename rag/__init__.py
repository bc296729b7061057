"""Ad Fontes, the library: from a corpus of sources to answers that lead back to them. Knows no HTTP."""
