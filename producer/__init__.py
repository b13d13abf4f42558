"""Writing events: the client, files of JSON Lines, and synthetic people with a known true segment.

Import from the module that holds the name: ``producer.client.Producer``,
``producer.kafka.KafkaConnection``, ``producer.synthetic.SyntheticStream``.
"""
