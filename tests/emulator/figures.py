def run(stack): pass
