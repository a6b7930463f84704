/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nobody outside is asked whether the document is valid. */
SwaggerUIBundle({
        url: "openapi.json",
        dom_id: "#page",
        deepLinking: true,
        validatorUrl: null,
});
