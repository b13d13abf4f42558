"""Writing events: the client, files of JSON Lines, and synthetic people with a known true segment.

Import what you need from the module that holds it: ``producer.client.Producer``,
``producer.kafka.KafkaConnection``, ``producer.jsonl.read_lines``, ``producer.synthetic.SyntheticStream``.
"""
