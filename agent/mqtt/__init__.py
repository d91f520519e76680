"""Status out, requests in, over MQTT; everything else works without a broker."""
