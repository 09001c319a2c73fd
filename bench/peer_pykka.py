"""A Pykka actor as its users write it: it answers what it is asked."""

import pykka


class Echo(pykka.ThreadingActor):
    def on_receive(self, message):
        return message
