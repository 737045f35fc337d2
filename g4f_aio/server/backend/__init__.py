"""The backend API: what the page of this server needs beside the OpenAI API."""
