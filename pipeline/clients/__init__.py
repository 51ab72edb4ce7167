"""The outside world: services over the network, the warehouse file, the state database."""
