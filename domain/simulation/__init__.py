"""What would be if: quotes, what-ifs, previews; nothing of it is kept."""
