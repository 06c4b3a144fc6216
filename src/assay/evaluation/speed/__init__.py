"""What answering costs: latency, throughput, memory, cold start, energy, money; `bench` measures all of it for one model."""
