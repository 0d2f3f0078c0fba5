using ThreatFeeds.Api.Hosting;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>
/// Bounds the documents that are read out at once. They have a bound of their own: whoever takes his document slowly keeps others from reading theirs, and no body
/// from coming in.
/// </summary>
internal sealed class DocumentAnswers
{
    private const long MaxBytes = 256 << 20;

    private readonly BodyBudget _budget = new(MaxBytes);

    /// <param name="characters">Of the document.</param>
    /// <exception cref="BodiesFullException">Too many are read out now.</exception>
    public HeldBytes Hold(long characters)
    {
        var held = new HeldBytes(_budget);
        held.Take(characters * sizeof(char));
        return held;
    }
}
