using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <summary>Ids of hits begin with the position; what follows is the beginning of what they were, so that a record searched again finds its hits.</summary>
    public partial class HitIdsByPosition : Migration
    {
        private const string New = """
            decode(lpad(to_hex("Segment" & 4294967295), 8, '0') || lpad(to_hex("Ordinal" & 4294967295), 8, '0') || encode(substring("Id" from 1 for 8), 'hex'), 'hex')
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql($"""UPDATE alert_samples SET "HitId" = h.new FROM (SELECT "Id" AS old, {New} AS new FROM hits) h WHERE alert_samples."HitId" = h.old""");
            migrationBuilder.Sql($"""UPDATE hits SET "Id" = {New}""");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => throw new System.NotSupportedException("What ids were cannot be made from what they are.");
    }
}
