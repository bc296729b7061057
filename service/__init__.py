"""Ad Fontes, the face: HTTP, the page and their contract. Knows no FAISS and no model."""
