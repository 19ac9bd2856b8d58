from codex_hello import plugin


async def test_a_left_todo_sends_the_agent_back(host, model):
    run = await host(plugins=[plugin], model=model("TODO: later", "all done")).turn("go")

    assert run.final_message == "all done"
    assert run.hooks("stop")[0].blocked_with == "Finish the TODOs you left."


async def test_the_model_can_roll_a_die(host, model):
    agent = model([{"call": "roll_dice", "args": {"sides": 1}, "call_id": "roll"}], "rolled")

    await host(plugins=[plugin], model=agent).turn("roll")

    assert agent.output("roll") == "1"
