/* SPDX-License-Identifier: LGPL-2.1-or-later */

Redoc.init("openapi.json", {}, document.getElementById("page"));
