using Xunit;

namespace ThreatFeeds.Tests.Searching;

public sealed class ProtocolModelTests
{
    [Fact]
    public void No_order_of_steps_and_crashes_passes_a_record_over()
    {
        (int states, string? violation) = new ProtocolModel(openLookBacks: true, recordComparedGeneration: true).Explore();

        Assert.Null(violation);
        Assert.True(states > 10_000, $"only {states} states were tried");
    }

    [Fact]
    public void Without_look_backs_the_model_finds_the_gap() =>
        Assert.NotNull(new ProtocolModel(openLookBacks: false, recordComparedGeneration: true).Explore().Violation);

    [Fact]
    public void Recording_the_newest_generation_instead_of_the_compared_one_is_found_out() =>
        Assert.NotNull(new ProtocolModel(openLookBacks: true, recordComparedGeneration: false).Explore().Violation);
}
