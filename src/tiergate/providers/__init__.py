"""What providers speak: codecs and facts, sans-I/O. Bytes in, values out, and back again."""
