using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Sqlite
{
    /// <summary>Ids of hits begin with the position; what follows is the beginning of what they were, so that a record searched again finds its hits.</summary>
    public partial class HitIdsByPosition : Migration
    {
        private const string New = """
            unhex(printf('%08x%08x', "Segment" & 4294967295, "Ordinal" & 4294967295) || hex(substr("Id", 1, 8)))
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
