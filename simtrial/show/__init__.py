"""The materials of everything shown: tables, pictures, passages, and the terminal."""
