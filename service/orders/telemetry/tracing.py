class Tracing:
    exporting = False

    @classmethod
    def from_config(cls, config):
        return cls()

    def shutdown(self):
        pass
